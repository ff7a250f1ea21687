-- Leases: BullMQ's lock of a job has our token, and what it means if the lock is gone is in the field `eyl`: the token
-- and the number of the activation. A lease whose time is over holds until somebody takes the job over.


-- The tokens whose leases ended in this script.
local ended = {}

function lease.token_of(f)
  return string.sub(f.lease or '', 1, 32)
end

-- Whether the last to activate a job was the holder of the lease that it remembers.
function lease.is_ours(q, id, f)
  if f.lease ~= lease.token_of(f) .. ' ' .. f.started then
    return false
  end
  local lock = call('GET', q.p .. id .. ':lock')
  return not lock or lock == lease.token_of(f)
end

-- The job under a lease, if it holds.
function lease.check(l)
  if ended[l.token] then
    return nil
  end
  local q = queue(l.queue)
  local f = job.load(q, l.id)
  if not f or lease.token_of(f) ~= l.token or not lease.is_ours(q, l.id, f) then
    return nil
  end
  if not call('ZSCORE', q.own .. 'leases', l.id) then
    return nil
  end
  return q, f
end

-- Notes that a lease has ended.
function lease.finish(q, id, f)
  local token = lease.token_of(f)
  ended[token] = true
  db.on_undo(function()
    ended[token] = nil
  end)
  db.del_later(q.p .. id .. ':lock')
  db.hdel_later(OURS .. 'tokens', token)
end

-- Makes a lease hold until an instant, if it holds now.
function lease.renew(l, until_)
  local q, f = lease.check(l)
  if not q then
    return false
  end
  call('SET', q.p .. l.id .. ':lock', l.token, 'PX', real(until_ - NOW))
  call('ZADD', q.own .. 'leases', ticks.score(until_), l.id)
  call('SREM', q.p .. 'stalled', l.id)
  return true
end
