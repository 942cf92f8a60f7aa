"""Numbers of the advisory locks that keep two processes from doing the same thing at once."""

SERVICE = 0x4A4F_4253_0001
SUBMISSION = 0x4A4F_0001
CANCELLATION = 0x4A4F_0002
MAIL_REQUEST_ENDED = 0x4A4F_0003
MAIL_FIRST_FAILURE = 0x4A4F_0004
