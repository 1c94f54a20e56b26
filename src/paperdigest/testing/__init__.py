"""For tests of paperdigest and its plug-ins: the contract of a source, a scripted server, a hand-set clock."""
