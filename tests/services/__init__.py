"""Services that some tests need: started by ``make test-services``, skipped loudly without them."""
