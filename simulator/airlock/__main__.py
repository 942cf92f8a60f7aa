"""Play Airlock against a running Job Server: a whole release request, from signing in to the last file.

Every step is printed with the server's status and what Airlock would make of the answer. Exit status 1 if
something would have failed in Airlock.
"""

import argparse
import os
import sys
from pathlib import Path

from simulator.airlock import files
from simulator.airlock.client import Client
from simulator.airlock.drive import Drive, Plan, new_request_id

TOKEN_VARIABLE = "AIRLOCK_API_TOKEN"
RETRY_DELAY = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Read the arguments, take all steps, and say where to look at what came of them."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.org is None) != (given.repo is None):
        parser.error("--org and --repo go together")
    if given.reject and given.withdraw:
        parser.error("--reject or --withdraw, not both")
    token = _token(parser, given)
    plan = _plan(parser, given)
    client = Client(given.server, token)
    drive = Drive(client, plan, _say)
    site = client.server.removesuffix("/api/v2")
    _say(f"Release request {plan.request_id} for {plan.workspace}, told to {client.server}")
    if not plan.login_token:
        _say(f"  Nobody signs in: make three words at {site}/settings/level-4/ as {plan.author},")
        _say('  and give them with --login-token "three little words".')
    try:
        drive.run()
    except KeyboardInterrupt:
        return 130
    _say("\n".join(_ending(drive, site)))
    return 1 if drive.failures else 0


def _parser() -> argparse.ArgumentParser:
    site = os.environ.get("BASE_URL", "http://127.0.0.1:8000")
    parser = argparse.ArgumentParser(prog="python -m simulator.airlock", description=__doc__)
    add = parser.add_argument
    add("--server", metavar="URL", default=f"{site}/api/v2", help="address of the API (%(default)s)")
    add("--token", help=f"the backend's token; better in {TOKEN_VARIABLE} or a file, out of the process list")
    add("--token-file", metavar="FILE", type=Path, help="file with the token (that of the demonstration)")
    add("--workspace", default="asthma-main", help="workspace of the files (%(default)s)")
    add("--author", default="researcher", help="username of who asks for the release (%(default)s)")
    add("--checker", default="checker", help="username of who reviews and releases (%(default)s)")
    add("--second-checker", default="checker-two", help="username of the second reviewer (%(default)s)")
    add("--login-token", metavar="WORDS", help="three words with which the author signs in")
    add("--files", metavar="DIR", type=Path, help="folder whose files are released (some made-up ones)")
    add("--return", dest="returned", action="store_true", help="the request is returned and submitted again")
    add("--reject", action="store_true", help="the request is rejected after its reviews")
    add(
        "--withdraw",
        action="store_true",
        help="the author withdraws: before submitting, with --return after it was returned",
    )
    add("--org", help="GitHub owner of Airlock's own repository for issues")
    add("--repo", help="name of Airlock's own repository for issues")
    add(
        "--keep-uploading",
        action="store_true",
        help="try to upload what is missing again and again, as Airlock does",
    )
    add(
        "--retry-delay",
        metavar="SECONDS",
        type=float,
        default=RETRY_DELAY,
        help="between tries (%(default)g)",
    )
    return parser


def _token(parser: argparse.ArgumentParser, given: argparse.Namespace) -> str:
    if given.token or (not given.token_file and os.environ.get(TOKEN_VARIABLE)):
        return str(given.token or os.environ[TOKEN_VARIABLE])
    file = given.token_file or Path(os.environ.get("DATA_DIR", "var")) / "airlock" / "tpp-token"
    try:
        return str(file.read_text().strip())
    except OSError as error:
        parser.error(
            f"no backend token: {file} cannot be read ({error.strerror}). `make run` writes it; for another "
            f"server give --token-file or {TOKEN_VARIABLE}, with what `jobserver create-backend SLUG` prints"
        )


def _plan(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Plan:
    request_id = new_request_id()
    outputs = files.made_up(request_id)
    if given.files:
        try:
            outputs, left = files.in_folder(given.files)
        except OSError as error:
            parser.error(f"--files: {error}")
        if not outputs:
            parser.error(f"--files: there is nothing below {given.files} that Airlock would release")
        for name in left:
            _say(f"  Left out, for Airlock releases no such file: {name}")
    return Plan(
        workspace=given.workspace,
        author=given.author,
        checkers=(given.checker, given.second_checker),
        files=outputs,
        request_id=request_id,
        login_token=given.login_token,
        returned=given.returned,
        rejected=given.reject,
        withdrawn=given.withdraw,
        checking=(given.org, given.repo) if given.org else None,
        retry_delay=given.retry_delay if given.keep_uploading else None,
    )


def _ending(drive: Drive, site: str) -> list[str]:
    number = drive.failures
    count = "Nothing" if not number else "1 step" if number == 1 else f"{number} steps"
    lines = [f"{count} would have failed in Airlock."]
    if drive.release_url:
        lines.append(f"Release:           {drive.release_url}")
        request_url = drive.release_url.replace("/releases/", "/release-requests/")
        lines.append(f"Release request:   {request_url}")
    lines.append(f"Release requests:  {site}/release-requests/")
    return lines


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
