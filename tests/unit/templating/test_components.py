"""The macro library: every macro is shown, fails loudly on what it does not know, and escapes."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment
from markupsafe import Markup
from webob.multidict import MultiDict
from wtforms import Form, RadioField, StringField, TextAreaField, validators

from jobserver.templating import TEMPLATES, gallery
from jobserver.templating.assets import Manifest
from jobserver.templating.icons import Icons
from jobserver.templating.library import Library


@pytest.fixture(scope="module")
def ui(jinja: Environment) -> Library:
    library = jinja.globals["ui"]
    assert isinstance(library, Library)
    return library


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_the_gallery_shows_every_macro_of_every_file(jinja: Environment) -> None:
    shown = {entry.name: entry for section in gallery.sections(jinja) for entry in section.entries}
    declared = {
        name
        for path in (TEMPLATES / "components").glob("*.jinja2")
        for name in re.findall(r"\{%-?\s*macro\s+([a-z]\w*)", path.read_text(encoding="utf-8"))
    }
    assert set(shown) == declared
    for name, entry in shown.items():
        assert entry.description, name
        assert entry.examples, name
        assert any(f"ui.{name}(" in example.code for example in entry.examples), name
        assert entry.signature.startswith(f"{name}("), name


def test_no_example_needs_a_style_attribute_or_an_inline_handler(jinja: Environment) -> None:
    for section in gallery.sections(jinja):
        for entry in section.entries:
            for example in entry.examples:
                for tag in soup(example.html).find_all(True):
                    assert not [a for a in tag.attrs if a == "style" or a.startswith("on")], entry.name


@pytest.mark.parametrize(
    "path",
    sorted(p for p in TEMPLATES.rglob("*.jinja2") if p.parent.name != "mail"),
    ids=lambda p: str(p.relative_to(TEMPLATES)),
)
def test_a_template_compiles_and_keeps_to_the_content_policy(jinja: Environment, path: Path) -> None:
    jinja.get_template(str(path.relative_to(TEMPLATES)))
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", source)
    assert not re.search(r"<script(?![^>]*nonce=)", source)


@pytest.mark.parametrize(
    "call",
    [
        'ui.button("x", variant="warning")',
        'ui.button("x", type="reset")',
        'ui.status("running", "round")',
        'ui.status("no such state")',
        'ui.note("x", "error")',
        'ui.time(now, "iso")',
        'ui.column_header("x", sorted="up")',
        'ui.no_such_component("x")',
        'ui.button("x", colour="red")',
        'glyph("no-such-icon")',
        'glyph("clock", 24)',
    ],
)
def test_what_the_library_does_not_know_fails_at_render_time(jinja: Environment, call: str) -> None:
    with pytest.raises(Exception, match=r"unknown|no attribute|no keyword|no component|no icon|24"):
        jinja.from_string("{{ " + call + " }}").render(now=gallery.NOW)


def test_text_is_escaped_and_markup_is_not(ui: Library) -> None:
    assert "<i>" not in ui.note("<i>x</i>")
    assert "<i>x</i>" in ui.note(Markup("<i>x</i>"))
    assert "<script" not in ui.code("<script>")
    assert "<script" not in ui.copy_button('"><script>')
    assert "<script" not in ui.yaml_file("a: <script>alert(1)</script>")
    assert "<script" not in ui.button("x", href='"><script>', attrs={"title": '"><script>'})


def test_a_disabled_button_stays_reachable_and_says_why(ui: Library) -> None:
    page = soup(ui.button("Run jobs", disabled="You have no backend yet."))
    assert page.button["aria-disabled"] == "true"
    assert "disabled" not in page.button.attrs
    assert page.find(id=page.button["aria-describedby"]).text == "You have no backend yet."

    link = soup(ui.button("Run jobs", href="/x", disabled="Archived.")).a
    assert "href" not in link.attrs
    assert link["tabindex"] == "0"


def test_a_state_shown_as_a_glyph_still_has_its_word(ui: Library) -> None:
    assert soup(ui.status("failed", "glyph")).find(class_="vh").text == "Failed"


def test_a_moment_carries_its_exact_time_and_no_moment_has_words(ui: Library) -> None:
    tag = soup(ui.time(gallery.NOW, now=gallery.NOW)).time
    assert tag["datetime"] == "2026-11-17T14:32:00+00:00"
    assert tag["title"] == "17 Nov 2026, 14:32:00 GMT"
    assert ui.time(None) == "never"


def test_breadcrumbs_end_in_the_page_itself(ui: Library) -> None:
    items = soup(ui.breadcrumbs([("Org", "/org/"), ("Run jobs", "/ignored/")])).find_all("li")
    assert items[0].a["href"] == "/org/"
    assert items[1].a is None
    assert items[1].span["aria-current"] == "page"
    assert ui.breadcrumbs([]).strip() == ""


def test_a_post_button_carries_the_token_and_a_dialog_posts_with_it(jinja: Environment, ui: Library) -> None:
    form = soup(ui.post_button("Archive", "/archive/", "t0ken", fields={"next": "/"})).form
    assert {i["name"]: i["value"] for i in form.find_all("input")} == {
        "csrfmiddlewaretoken": "t0ken",
        "next": "/",
    }
    html = jinja.from_string(
        '{% call ui.dialog("d", "Cancel?", confirm="Cancel 5 jobs", action="/c/", csrf="t0ken") %}5{% endcall %}'
    ).render()
    dialog = soup(html).dialog
    assert dialog.form["action"] == "/c/"
    assert dialog.find("input", {"name": "csrfmiddlewaretoken"})["value"] == "t0ken"
    assert dialog.find(id=dialog["aria-labelledby"]).text == "Cancel?"


def test_a_live_region_asks_again_and_a_final_one_does_not(jinja: Environment) -> None:
    source = '{% call ui.live("live", "/x/live/", seconds) %}x{% endcall %}'
    running = soup(jinja.from_string(source).render(seconds=10)).div
    assert (running["hx-get"], running["hx-trigger"]) == ("/x/live/", "every 10s, ask")
    assert running["hx-swap"] == "morph:outerHTML"
    final = soup(jinja.from_string(source).render(seconds=None)).div
    assert set(final.attrs) == {"id", "class"}


def test_a_pager_is_absent_for_one_page_and_has_no_way_back_from_the_first(ui: Library) -> None:
    assert ui.pager(gallery.Pager(1, 25, 25)).strip() == ""
    first = soup(ui.pager(gallery.Pager(1, 26, 25, [("q", "x")])))
    assert [(a.text, a["href"]) for a in first.find_all("a")] == [
        ("Older", "?q=x&page=2"),
        ("Last", "?q=x&page=2"),
    ]


class Sample(Form):
    name = StringField("Name", [validators.InputRequired("Give a name")], description="Letters.")
    purpose = TextAreaField("Purpose", [validators.Optional(), validators.Length(max=2500)])
    mail = RadioField("Emails", [validators.InputRequired("Choose one")], choices=["a", "b"])


def refused() -> Sample:
    form = Sample(MultiDict({"name": "", "purpose": "<b>kept</b>"}))
    assert not form.validate()
    return form


def test_a_refused_field_is_tied_to_its_hint_and_its_error(ui: Library) -> None:
    page = soup(ui.input(refused().name))
    control = page.input
    assert control["aria-invalid"] == "true"
    assert [page.find(id=i).text for i in control["aria-describedby"].split()] == ["Letters.", "Give a name"]
    assert page.label["for"] == control["id"]


def test_a_group_of_choices_is_tied_to_its_error_too(ui: Library) -> None:
    page = soup(ui.radios(refused().mail))
    assert page.find(id=page.fieldset["aria-describedby"]).text == "Choose one"


def test_a_good_field_says_nothing_of_errors_and_optional_ones_say_so(ui: Library) -> None:
    page = soup(ui.textarea(Sample().purpose))
    assert "aria-invalid" not in page.textarea.attrs
    assert page.textarea["aria-describedby"] == "purpose-count"
    assert page.find(id="purpose-count").text == "0 of 2,500 characters"
    assert "(optional)" in page.label.text
    assert "(optional)" not in ui.input(Sample().name)


def test_the_error_summary_links_to_the_fields_and_is_absent_without_errors(ui: Library) -> None:
    page = soup(ui.error_summary(refused()))
    assert page.find(role="alert").h2.text == "There are 2 problems"
    assert [(a["href"], a.text) for a in page.find_all("a")] == [
        ("#name", "Name: Give a name"),
        ("#mail", "Emails: Choose one"),
    ]
    assert ui.error_summary(Sample()).strip() == ""


def test_what_was_typed_is_kept_and_escaped(ui: Library) -> None:
    assert "&lt;b&gt;kept" in ui.textarea(refused().purpose)


def test_a_page_carries_the_symbols_it_uses_and_those_of_states_that_may_come() -> None:
    icons = Icons.load(Path(__file__).parents[3] / "jobserver" / "static" / "dist")
    few = icons.symbols_in(icons.use("clock"))
    assert 'id="i-clock"' in few
    assert 'id="i-no-symbol"' not in few
    assert 'id="i-no-symbol"' in icons.symbols_in('<div data-live="10"></div>')


def test_a_missing_build_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm run build"):
        Icons.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="npm run build"):
        Manifest.load(tmp_path)


def test_an_entry_of_the_front_end_gives_its_hashed_files_and_an_unknown_one_fails() -> None:
    manifest = Manifest({"main.ts": {"file": "assets/main-abc.js", "css": ["assets/main-def.css"]}})
    asset = manifest.asset("main.ts")
    assert asset.script == "/static/dist/assets/main-abc.js"
    assert asset.styles == ("/static/dist/assets/main-def.css",)
    with pytest.raises(LookupError, match=r"other\.ts"):
        manifest.asset("other.ts")
