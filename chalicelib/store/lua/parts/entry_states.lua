-- A part of other scripts. How a user stands to a chat, as their index has it, see Inboxes.
local OUT, IN, LARGE, IS_INVITED = 0, 1, 2, 3
