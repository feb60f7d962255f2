-- Keeps which messages of a chat mention whom, see Mentions.
-- requires: byte_order
local MAX_MENTIONS, SEQ_BYTES = 1000, 8

-- Returns how many of some ascending seqs, 8 bytes each, are at most `seq`.
local function mentions_up_to(held, seq)
  local wanted, low, high = struct.pack('>I8', seq), 0, #held / SEQ_BYTES
  while low < high do
    local middle = math.floor((low + high) / 2)
    local start = middle * SEQ_BYTES
    if below(wanted, string.sub(held, start + 1, start + SEQ_BYTES)) then high = middle else low = middle + 1 end
  end
  return low
end

-- Writes that a message mentions a field: a handle, `*:` for all, or `!:` and the handle of a user whom a mention of all leaves out.
local function add_mention(mentions, field, seq)
  local held = redis.call('HGET', mentions, field) or ''
  local at = mentions_up_to(held, seq) * SEQ_BYTES
  local packed = struct.pack('>I8', seq)
  if at > 0 and string.sub(held, at - SEQ_BYTES + 1, at) == packed then return end
  held = string.sub(held, 1, at) .. packed .. string.sub(held, at + 1)
  redis.call('HSET', mentions, field, string.sub(held, -MAX_MENTIONS * SEQ_BYTES))
end

-- Writes that a message does not mention a field.
local function drop_mention(mentions, field, seq)
  local held = redis.call('HGET', mentions, field) or ''
  local at = mentions_up_to(held, seq) * SEQ_BYTES
  if at == 0 or string.sub(held, at - SEQ_BYTES + 1, at) ~= struct.pack('>I8', seq) then return end
  held = string.sub(held, 1, at - SEQ_BYTES) .. string.sub(held, at + 1)
  if held == '' then redis.call('HDEL', mentions, field) else redis.call('HSET', mentions, field, held) end
end

-- Calls a function with each of some fields, which have \0 between them.
local function each_mention(fields, visit)
  for field in string.gmatch(fields, '[^%z]+') do visit(field) end
end
