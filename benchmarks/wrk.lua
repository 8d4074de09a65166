-- Prints what a run of wrk found as JSON, after wrk's own words; it slows nothing down.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nJSON {"requests": %d, "microseconds": %d, "bytes": %d, "errors": %d, "statuses": %d, '
      .. '"p50": %f, "p90": %f, "p99": %f, "max": %f}\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
