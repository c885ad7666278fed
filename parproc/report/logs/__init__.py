"""Reading what tasks have written: while a log grows, and what matters of one that is finished."""
