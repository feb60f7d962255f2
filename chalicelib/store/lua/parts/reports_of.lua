-- Finds the reports that a member has made in a chat, see Reports.

-- Returns the fields of a member's reports.
local function reports_of(reports, reporter)
  local own, prefix = {}, reporter .. '\0'
  for _, field in ipairs(redis.call('HKEYS', reports)) do
    if string.sub(field, 1, #prefix) == prefix then own[#own + 1] = field end
  end
  return own
end
