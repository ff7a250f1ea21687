-- Adds the next job of a BullMQ job scheduler, as every worker does that has taken the present one.

function verbs.iterate()
  local q = queue(A.queue)
  local definition = q.p .. 'repeat:' .. A.scheduler
  local known = pairs_of(call('HGETALL', definition))
  local present = call('ZSCORE', q.p .. 'repeat', A.scheduler)
  if not known.ic or not present or A.id ~= 'repeat:' .. A.scheduler .. ':' .. int(tonumber(present)) then
    return '0'
  end
  local new = {
    id = 'repeat:' .. A.scheduler .. ':' .. int(A.next),
    name = known.name or A.name,
    data = known.data or '{}',
    opts = A.opts,
    kind = A.lifo and 'nl' or 'n',
    priority = A.priority,
    lifo = A.lifo,
    at = A.next,
  }
  if db.exists(q.p .. new.id) then
    tell(q, 'duplicated', 'jobId', new.id)
    return '0'
  end
  call('ZADD', q.p .. 'repeat', int(A.next), A.scheduler)
  call('HINCRBY', definition, 'ic', 1)
  q.added = q.added + 1
  job.add(q, new, nil)
  call('HSET', q.p .. new.id, 'rjk', A.scheduler)
  call('HDEL', q.p .. new.id, 'eyt')
  if string.match(call('HGET', q.p .. 'meta', 'version') or '', '^bullmq:5%.') then
    call('HSET', q.p .. A.id, 'nrjid', new.id)
  end
  wake()
  return '1'
end
