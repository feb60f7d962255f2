-- A part of other scripts. When the sessions of users end, see Sessions.
-- Returns when a session expires, µs. record: see Sessions.
local function expiry_of(record) return (struct.unpack('>I8', record, 17)) end
