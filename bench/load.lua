-- wrk's side of a load. Arguments: prefix of the ids, method, body, then name and value of each header.
-- `$ID` in the body becomes an id of 36 characters that no other request has.
-- Prints one line, `result ` and a JSON object; latencies are in milliseconds.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local prefix, body, count = args[1], args[3], 0
  wrk.method = args[2]
  if body ~= "" then wrk.body = body end
  for i = 4, #args, 2 do wrk.headers[args[i]] = args[i + 1] end
  local before, after = body:match("^(.*)%$ID(.*)$")
  if before then
    function request()
      count = count + 1
      return wrk.format(nil, nil, nil, before .. string.format("%s-%02d-%012d", prefix, number, count) .. after)
    end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'result {"requests": %d, "seconds": %f, "p50": %f, "p90": %f, "p99": %f, "p999": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
