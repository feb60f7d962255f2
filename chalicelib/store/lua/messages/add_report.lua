#!lua
-- Adds a member's report of a message, or replaces the one that the member has made of it.
-- requires: clock, memberships, reports_of
local chat = KEYS[1] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[2] -- HASH, see Chats; does not exist for a direct chat
local reports = KEYS[3] -- HASH, see Reports
local reporter = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local field = ARGV[3] -- the field of the report
local body = ARGV[4] -- msgpack array, opaque here
local most = tonumber(ARGV[5]) -- integer, maximum number of reports of a chat
local most_of_member = tonumber(ARGV[6]) -- integer, maximum number of reports of a member in a chat
-- reply: 0: it is added; 1: the chat does not exist; 2: the reporter is not a member; 3: the chat has `most` reports; 4: the
--   reporter has made the maximum of them
if kind == GROUP then
  if not group_of(chat) then return 1 end
  if not member_of(members, reporter) then return 2 end
end
local held = redis.call('HGET', reports, field)
if not held then
  if redis.call('HLEN', reports) >= most then return 3 end
  if #reports_of(reports, reporter) >= most_of_member then return 4 end
end
redis.call('HSET', reports, field, (held and string.sub(held, 1, 8) or struct.pack('>I8', now())) .. body)
return 0
