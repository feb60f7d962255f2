#!lua flags=no-writes
-- Reads whether a chat still has the message that a client of one of its readers holds as the newest.
-- requires: permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- ARGV[1]  reader   handle
-- ARGV[2]  kind     of the chat, 'group' (or a room) or 'direct'
-- ARGV[3]  seq      integer, of that message
-- ARGV[4]  time     8 bytes, of that message
-- ARGV[5]  epoch    integer as text, of the log that had it
-- reply    {} if it has, or if the message is below what the reader may read; else {head, its time in µs, epoch},
--          0 each where there is none. Or 1: there is no such chat, or the reader may read nothing of it
local seen = judged(ARGV[1], ARGV[2])
if not seen.reads then return 1 end
if same_history(seen, tonumber(ARGV[3]), ARGV[4], ARGV[5]) then return {} end
local element = newest_seen(seen)
return {element and seen.head or 0, element and struct.unpack('>I8', element, 2) or 0, seen.epoch}
