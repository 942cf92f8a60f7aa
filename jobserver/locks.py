"""Numbers of the advisory locks that keep two processes from doing the same thing at once. All are here."""

# Taken with a number alone, of 64 bits. Migrations have one too: 7_301_215, in alembic/env.py.
SERVICE = 0x4A4F_4253_0001
# Names are given rarely: one at a time, so that two people cannot both be told that a word is free.
NAMING = 7_301_216
# Two people who take the role from each other come one after the other.
ADMINISTRATORS = 7_301_217
# Whoever holds it puts repositories on the list; the other workers leave it to them.
REPOSITORY_SWEEP = 7_301_218

# Taken with a number of 32 bits and the id of a thing.
SUBMISSION = 0x4A4F_0001
CANCELLATION = 0x4A4F_0002
MAIL_REQUEST_ENDED = 0x4A4F_0003
MAIL_FIRST_FAILURE = 0x4A4F_0004
REPO_SIGN_OFF_ISSUE = 0x4A4F_0021
RELEASE_REQUEST_ISSUE = 0x4A4F_0011
RELEASE_REQUEST_POST = 0x4A4F_0012
RELEASE_REQUEST_MAIL = 0x4A4F_0013
