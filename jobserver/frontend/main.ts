/** Everything here only saves time: each page is complete without it. */
import "./css/main.css";
import { startCopying } from "./copy";
import { startDialogs } from "./dialogs";
import { startFilters } from "./filter";
import { startForms } from "./forms";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { startMenus } from "./menus";
import { showTabs } from "./tabs";
import { startToasts } from "./toast";
import { startViewer } from "./viewer";

document.documentElement.classList.add("js");
startLive();
startMenus();
showTabs();
startDialogs();
startForms();
startFilters();
startCopying();
startToasts();
startKeys();
startViewer();
