-- Reads flags.

-- Returns whether flags contain a flag.
local function has(flags, flag) return bit.band(flags, flag) ~= 0 end
