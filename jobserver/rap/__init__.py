"""Between us and the RAP controller: submitting, cancelling, and the service that follows what runs.

Nothing here is called while a page is made. Every call to the controller is made outside any
transaction, and every step can be repeated: whatever dies in between, the next round mends it.
"""
