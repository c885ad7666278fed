"""Lines for terminals, pipes and logs: each way of showing a run that only adds below what stands there already."""
