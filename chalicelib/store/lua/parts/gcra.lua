-- Limits requests a minute, all of which may come at once: the generic cell rate algorithm (ITU-T I.371 annex A, as a virtual
-- clock). The state is one number, the time in µs at which the limit will be unused again. All numbers are whole: a fraction
-- lost at each request would add up. A request of a higher cost takes as many parts of the limit, at most all of it.
local MINUTE = 60 * 1000000

-- Returns how long a request of a cost uses the limit; how long all parts together do; and one part, in µs.
local function spans(limit, cost)
  local each = math.ceil(MINUTE / limit)
  return each * math.min(cost, limit), each * limit, each
end

-- Returns for how long the limit is in use, in µs. A state further ahead was written before the clock fell back: it is ignored.
local function in_use(unused, time)
  local busy = math.max((tonumber(unused) or 0) - time, 0)
  return busy > 2 * MINUTE and 0 or busy
end

-- limit: requests a minute, 0 for no limit; unused: the state, false for none; time: now, µs; cost: at least 1.
-- Returns whether the request may pass, the state after it, and how many more of cost 1 would pass.
local function pass(limit, unused, time, cost)
  if limit == 0 then return true, time, 0 end
  local part, all, each = spans(limit, cost)
  local busy = in_use(unused, time)
  if busy + part > all then return false, time + busy, 0 end
  return true, time + busy + part, math.floor((all - busy - part) / each)
end

-- Takes what is done already, whatever is left; at most the limit of one minute is taken in advance. Returns as pass does.
local function take(limit, unused, time, cost)
  if limit == 0 then return true, time, 0 end
  local part, all, each = spans(limit, cost)
  local busy = math.min(in_use(unused, time) + part, 2 * MINUTE)
  return true, time + busy, math.max(0, math.floor((all - busy) / each))
end

-- Returns for how many µs a request of a cost will not pass.
local function wait(limit, unused, time, cost)
  local part, all = spans(limit, cost)
  return math.max(0, unused - time + part - all)
end
