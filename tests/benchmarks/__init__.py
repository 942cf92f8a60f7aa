"""`make bench`: how long every page takes at the server with ten years of data, and in how many statements.

    python -m tests.benchmarks [--requests 26000] [--jobs 300000] [--rounds 15] [--only WORD] [--data FOLDER]

It starts a PostgreSQL of its own, loads the sample twice, with half the data and with all of it, and serves
both by one process each, as in production: waitress on loopback. Time is taken inside that process, from the
call of the WSGI application until the body is complete; statements are counted there too. Each round asks for
the page of the half, of the whole, and for an empty page of the same stack: figures in milliseconds differ from
machine to machine and hour to hour, the ratio to the empty page (at most 12) is what can be compared.

Then one round of the status service is measured against a controller's double, Airlock's two calls about Level 4
for somebody with 200 workspaces, and the memory of the process that answered 10,000 requests. The exit status is 1 if a page did not answer as it should, whatever its time.

Left out: pages that ask GitHub (run-jobs/, run-again/, repositories), whose time is GitHub's.
"""
