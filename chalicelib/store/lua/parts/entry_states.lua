-- Names the states of an inbox entry, see Inboxes.
local OUT, IN, LARGE, IS_INVITED = 0, 1, 2, 3
