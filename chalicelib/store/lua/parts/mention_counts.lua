-- Counts the mentions of a reader, see Mentions.
-- requires: mentions

-- Adds the seqs of a field that are above `from`, up to `head`, to a set.
local function mentions_between(held, from, head, found)
  if not held then return end
  for i = mentions_up_to(held, from), mentions_up_to(held, head) - 1 do
    found[string.sub(held, i * SEQ_BYTES + 1, (i + 1) * SEQ_BYTES)] = true
  end
end

-- Returns how many messages above `from`, up to `head`, mention a reader. leaving_out: ZSETs of seqs that do not count.
local function count_mentions(mentions, reader, from, head, leaving_out)
  local own, all, except = unpack(redis.call('HMGET', mentions, reader, '*:', '!:' .. reader))
  local found, without, seqs = {}, {}, {}
  mentions_between(all, from, head, found)
  mentions_between(except, from, head, without)
  for packed in pairs(without) do found[packed] = nil end
  mentions_between(own, from, head, found)
  for packed in pairs(found) do seqs[#seqs + 1] = struct.unpack('>I8', packed) end
  local counted = {}
  for i = 1, #seqs do counted[i] = true end
  for _, zset in ipairs(#seqs > 0 and leaving_out or {}) do
    for i, score in ipairs(redis.call('ZMSCORE', zset, unpack(seqs))) do
      if score then counted[i] = false end
    end
  end
  local count = 0
  for i = 1, #seqs do count = count + (counted[i] and 1 or 0) end
  return count
end
