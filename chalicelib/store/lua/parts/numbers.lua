-- Writes numbers as text.

-- Returns a whole number as text; Lua itself writes one above 1e14 with an exponent.
local function decimal(number) return string.format('%.0f', number) end
