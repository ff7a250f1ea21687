-- Takes over ended leases, then removes what is old: jobs first, then the events that none carries.

function verbs.maintain()
  upkeep.catch_up()
  local done = { taken_over = 0, buried = 0, expired = 0, forgotten = 0, stalled = 0 }
  local names = call('SMEMBERS', OURS .. 'queues')
  table.sort(names)
  for _, name in ipairs(names) do
    upkeep.catch_up_with(queue(name))
  end
  upkeep.end_leases(names, A.limit, A.max_crashes, done)
  done.expired = upkeep.remove_old(names, A.limit)
  for _, name in ipairs(names) do
    done.stalled = done.stalled + upkeep.check_stalled(queue(name), A.stalled_interval, A.max_stalled)
    duplicate.forget_windows(queue(name), A.limit)
  end
  done.forgotten = record.forget_events(A.keep_events, A.limit, names)
  wake()
  return cmsgpack.pack({ done, news.told })
end
