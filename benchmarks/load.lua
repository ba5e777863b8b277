-- The request that wrk repeats, and its result as one line of JSON.
--
--     wrk ... -s load.lua URL -- [METHOD [BODY_BYTES [PIPELINED]]]
--
-- Headers come by wrk's own -H. With PIPELINED = 16 the client sends 16 requests at a time and waits
-- for their 16 answers.

-- wrk calls this before it forms the request from the table `wrk`.
function init(args)
  wrk.method = args[1] or "GET"
  local body_bytes = tonumber(args[2] or "0")
  if body_bytes > 0 then
    wrk.body = string.rep("x", body_bytes)
  end
  local pipelined = tonumber(args[3] or "1")
  if pipelined > 1 then
    local batch = string.rep(wrk.format(), pipelined)
    request = function() return batch end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "bytes": %d, "p50_us": %.1f, "p99_us": %.1f, ' ..
    '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50.0), latency:percentile(99.0),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
