-- Writes numbers as text, and reads flags.

-- Returns a whole number as text; Lua itself writes one above 1e14 with an exponent.
local function decimal(number) return string.format('%.0f', number) end

-- Returns whether flags contain a flag.
local function has(flags, flag) return bit.band(flags, flag) ~= 0 end
