"""Sample data: about ten years of a busy site, made up, the same for the same options.

``size`` says how much; ``plan`` decides which requests there are; ``people`` makes who and what they belong
to; ``pipelines`` what they run; ``requests`` and ``jobs`` their rows; ``releases`` what came out; ``trail``
the audit events; ``loading`` copies everything into the database.
"""
