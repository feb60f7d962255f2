-- wrk's side of a load by several callers in turn. Arguments: prefix of the ids, and a file of whole requests,
-- a byte 1 between them. `$ID` in a request becomes an id of 36 characters that no other request has.
dofile(debug.getinfo(1, "S").source:match("^@(.*)callers%.lua$") .. "load.lua")

function init(args)
  local prefix, count, requests = args[1], 0, {}
  local file = assert(io.open(args[2], "rb"))
  for text in file:read("*a"):gmatch("[^\1]+") do
    local before, after = text:match("^(.*)%$ID(.*)$")
    requests[#requests + 1] = {before or text, after}
  end
  file:close()
  function request()
    count = count + 1
    local one = requests[count % #requests + 1]
    if not one[2] then return one[1] end
    return one[1] .. string.format("%s-%02d-%012d", prefix, number, count) .. one[2]
  end
end
