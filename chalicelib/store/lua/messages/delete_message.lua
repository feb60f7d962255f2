#!lua flags=allow-oom
-- Puts a tombstone in the place of a message as change_message does, also in a store without free memory, which it gives some.
-- runs: messages/change_message
-- KEYS[1..14]: see change_message
-- ARGV[1..16]: see change_message
-- reply: see change_message
return change_message(KEYS, ARGV)
