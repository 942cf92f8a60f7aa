"""The one frame of the simulator's own pages."""

from markupsafe import Markup
from pyramid.response import Response

_FRAME = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · simulator</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ background: #f4f5f7; padding: 1rem; overflow: auto }}
table {{ border-collapse: collapse }}
td, th {{ padding: .25rem .75rem; text-align: left; vertical-align: top }}
button {{ font: inherit; padding: .4rem .9rem; margin: .2rem 0; cursor: pointer }}
iframe {{ width: 100%; height: 30rem; border: 1px solid #cbd5e0 }}
.note {{ color: #4a5568 }}
</style>
</head>
<body>
<p class="note">A stand-in on this machine, not the real service. <a href="/">What is here</a></p>
<h1>{title}</h1>
{body}
</body>
</html>
""")


def page(title: str, body: Markup, status: int = 200) -> Response:
    """A page; plain strings in it have to be escaped by ``Markup.format`` or ``joined``."""
    text = _FRAME.format(title=title, body=body)
    return Response(text.encode(), status=status, content_type="text/html", charset="utf-8")


def joined(parts: list[Markup]) -> Markup:
    """Pieces of a page, one after the other."""
    return Markup("\n").join(parts)
