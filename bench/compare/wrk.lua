-- Sends prepared requests in turn. Arguments: a file with one request per line (header, tab, body), and the index of the first.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  requests = {}
  for line in io.lines(args[1]) do
    local header, body = line:match('^(.-)\t(.*)$')
    local name, value = header:match('^(.-): (.*)$')
    local headers = { ['content-type'] = 'application/json' }
    if name then headers[name] = value end
    requests[#requests + 1] = wrk.format('POST', nil, headers, body)
  end
  index = tonumber(args[2])
  sent = 0
  cpu = os.clock()
end

function request()
  sent = sent + 1
  index = index % #requests + 1
  return requests[index]
end

function done(summary, latency)
  local errors = summary.errors
  local format = 'RESULT {"requests":%d,"seconds":%f,"bytes":%d,"p99Ms":%f,"sent":%d,"cpuSeconds":%f,"errorResponses":%d,"failedConnections":%d}\n'
  io.write(format:format(
    summary.requests,
    summary.duration / 1e6,
    summary.bytes,
    latency:percentile(99) / 1e3,
    threads[1]:get('sent'),
    os.clock() - threads[1]:get('cpu'),
    errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
