"""The pure middle: no input or output, no clock, no processes. Time and identity arrive in events."""
