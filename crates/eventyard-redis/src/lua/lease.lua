-- Leases: BullMQ's lock of a job has our token, and what it means if the lock is gone is in the field `eyl`: the token
-- and the number of the activation. A lease whose time is over holds until somebody takes the job over.

-- The tokens whose leases ended in this script.
local ended

function lease.token_of(f)
  return string.sub(f.lease or '', 1, 32)
end

-- The locks of the jobs whose leases are to be checked, read at once: tokens by the keys of jobs.
local locks

beginnings[#beginnings + 1] = function()
  ended, locks = {}, {}
end

-- Reads the locks of jobs by their keys; tells the locks' names.
function lease.read_locks(keys)
  local names = {}
  for n, key in ipairs(keys) do
    names[n] = key .. ':lock'
  end
  for i = 1, #keys, 1000 do
    for n, token in ipairs(call('MGET', unpack(names, i, math.min(i + 999, #keys)))) do
      locks[keys[i + n - 1]] = token
    end
  end
  return names
end

-- Whether the lock of a job, which was read, shows that its lease holds; it may hold without.
function lease.is_locked(key, token)
  return locks[key] == token and not ended[token]
end

-- Whether a job is under the lease that was given out last. The lock tells; if Redis has forgotten it, the lease holds
-- until somebody else has activated the job or taken it over.
function lease.is_ours(q, id, f, token)
  local key = q.p .. id
  if f.lease ~= token .. ' ' .. f.activation then
    return false
  end
  local lock = locks[key]
  if lock == nil then
    lock = call('GET', key .. ':lock')
  end
  if lock then
    return lock == token
  end
  return call('ZSCORE', q.leases, id) and db.is_in(q.active, id)
end

-- The job under a lease, if it holds. Of one that is done, only what its end needs is read.
function lease.check(name, id, token, is_done)
  if ended[token] then
    return nil
  end
  local q = queue(name)
  local f = (is_done and job.load_done or job.load)(q, id)
  if not f or not lease.is_ours(q, id, f, token) then
    return nil
  end
  return q, f
end

-- Notes that a lease has ended; the rest of its end is up to the caller.
function lease.note_end(token)
  ended[token] = true
end

-- Ends a lease.
function lease.finish(q, id, token)
  lease.note_end(token)
  if db.may_undo() then
    db.on_undo(function()
      ended[token] = nil
    end)
  end
  db.del_later(q.p .. id .. ':lock')
  db.hdel_later(TOKENS, token)
end

-- Makes a lease hold until an instant, if it holds now.
function lease.renew(l, until_)
  local q = lease.check(l.queue, l.id, l.token)
  if not q then
    return false
  end
  locks[q.p .. l.id] = nil
  call('SET', q.p .. l.id .. ':lock', l.token, 'PX', real(until_ - NOW))
  call('ZADD', q.leases, int(until_), l.id)
  call('SREM', q.p .. 'stalled', l.id)
  return true
end
