"""Items on their way: the filter, then the part writer."""
