"""What people and machines see: peers that read one stream of messages."""
