"""Drawing: answers as a person reads them on a terminal; a pipe gets the text that tools give."""
