-- Orders texts byte by byte, as a sorted set orders members of the same score.

-- Returns whether one text is below another; Lua's own comparison depends on the server's locale.
local function below(one, other)
  for i = 1, math.min(#one, #other) do
    local here, there = string.byte(one, i), string.byte(other, i)
    if here ~= there then return here < there end
  end
  return #one < #other
end
