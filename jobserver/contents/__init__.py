"""What stands in a released file, read so that time and memory stay bounded whatever it holds.

Pure: an open file goes in, typed things that a template can show come out; nothing here knows of SQL or
HTTP. `forms` says how a file of a name is shown; `rows`, `orders` and `sheet` read tables, `lines` text,
`outline` JSON. Spec: pages 18 and 30 no. 74.
"""
