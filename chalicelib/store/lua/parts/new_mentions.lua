-- Writes whom a new message mentions, see Mentions.
local MENTIONS_BYTES = 8000 -- 1,000 seqs

-- fields: with \0 between them. seq: above all that the fields hold.
local function add_new_mentions(mentions, fields, seq)
  for field in string.gmatch(fields, '[^%z]+') do
    local held = (redis.call('HGET', mentions, field) or '') .. struct.pack('>I8', seq)
    redis.call('HSET', mentions, field, string.sub(held, -MENTIONS_BYTES))
  end
end
