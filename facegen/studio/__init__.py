"""The studio: a page on this machine on which expressions are chosen, timed, played and exported."""
