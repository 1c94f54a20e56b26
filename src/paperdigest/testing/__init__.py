"""For tests of paperdigest and of its plug-ins: the contract every source keeps, a scripted server, a hand-set clock."""
