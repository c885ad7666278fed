"""Writing to pipes and terminals without ever waiting for who reads them."""
