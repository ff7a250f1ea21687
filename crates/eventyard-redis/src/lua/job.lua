-- Jobs: what is known of them, and how they come and run.

local FACTS = {
  'name', 'timestamp', 'priority', 'delay', 'processedOn', 'finishedOn', 'parentKey', 'parent', 'deid', 'atm', 'ats',
  'stc', 'pb', 'eyt', 'eyk', 'eyp', 'eyl', 'eyh', 'eyx', 'eys', 'eyb',
}

local function fact(text)
  return text or nil
end

-- What the end of a job that is done needs to be known of it; nothing if we have leased none.
function job.load_done(q, id)
  if db.is_gone(q.p .. id) then
    return nil
  end
  local f = call('HMGET', q.p .. id, 'eyl', 'ats', 'atm', 'eyk', 'deid', 'parent')
  if not f[1] then
    return nil
  end
  return {
    lease = f[1],
    activation = f[2] or '0',
    attempts = f[3] and tonumber(f[3]) or 0,
    key = f[4] or nil,
    says = f[5] or nil,
    parent = f[6] or nil,
  }
end

-- When a job fails that has not begun, by its field `eyx`: how long after it could, and how it is listed until then. Of
-- those whose times end together, the one that was added first comes first.
function job.expiry(text, id)
  local ttl, number = string.match(text or '', '^(%d+) (%d+)$')
  return ttl and { after = tonumber(ttl), member = string.format('%016.0f', tonumber(number)) .. id }
end

-- What is known of a job; nothing if there is none.
function job.load(q, id)
  if db.is_gone(q.p .. id) then
    return nil
  end
  local f = call('HMGET', q.p .. id, unpack(FACTS))
  if not (f[1] or f[2]) then
    return nil
  end
  local kind, lifo = f[14], nil
  if kind then
    lifo = string.find(kind, 'l', 2, true) and true
  else
    lifo = job.options(q, id).lifo
  end
  return {
    created_at = tonumber(fact(f[2])),
    priority = tonumber(fact(f[3])) or 0,
    delay = tonumber(fact(f[4])) or 0,
    started_at = tonumber(fact(f[5]) or fact(f[20])),
    finished_at = tonumber(fact(f[6])),
    parent = fact(f[8]),
    says = fact(f[9]),
    attempts = tonumber(fact(f[10])) or 0,
    activation = fact(f[11]) or '0',
    stalls = tonumber(fact(f[12])) or 0,
    crashes = (tonumber(fact(f[12])) or 0) - (tonumber(fact(f[21])) or 0),
    worker = fact(f[13]),
    kind = fact(kind),
    lifo = lifo or false,
    key = fact(f[15]),
    place = fact(f[16]),
    lease = fact(f[17]),
    holds = fact(f[18]),
    expires = job.expiry(fact(f[19]), id),
  }
end

-- The options that a job was added with.
function job.options(q, id)
  local text = call('HGET', q.p .. id, 'opts')
  local is_json, options = pcall(cjson.decode, text or '{}')
  return is_json and type(options) == 'table' and options or {}
end

-- How long a job is kept, as BullMQ's options say it; ages in milliseconds.
function job.keep_of(option)
  if option == nil or option == cjson.null or option == false then
    return {}
  elseif option == true then
    return { count = 0 }
  elseif type(option) == 'number' then
    return { count = option }
  end
  return { count = tonumber(option.count), age = option.age and tonumber(option.age) * 1000 }
end

-- Makes a queue known.
local function queue_is_known(q)
  if not q.set.known then
    q.set.known = '1'
    db.sadd(OURS .. 'queues', q.name)
    db.hset(q.own .. 'set', 'known', '1')
  end
end
job.queue_is_known = queue_is_known

-- The keys that a job may have beside its own.
local function keys_beside(key)
  return key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful'
end

-- The keys that go with a job.
function job.keys(key)
  return key, keys_beside(key)
end

-- Adds those beside its own to others.
function job.add_keys_beside(keys, key)
  local n = #keys
  keys[n + 1], keys[n + 2], keys[n + 3], keys[n + 4], keys[n + 5] = keys_beside(key)
end

local function append(fields, name, value)
  local n = #fields
  fields[n + 1], fields[n + 2] = name, value
end

-- Adds a job whose id is free. If it stands for all that say the same, it does so until `window`, or until it ends.
function job.add(q, new, window)
  local key, id = q.p .. new.id, new.id
  if db.is_gone(key) then
    db.flush()
  end
  if not q.set.known then
    queue_is_known(q)
  end
  local number = tonumber(id)
  if number and number < 2 ^ 53 and string.match(id, '^[1-9]%d*$') then
    -- BullMQ's own numbering must not come to this id.
    q.added = 0
    if number > tonumber(call('GET', q.p .. 'id') or 0) then
      call('SET', q.p .. 'id', id)
    end
  end
  if new.says then
    duplicate.appoint(q, new, window)
  end
  new.priority = new.priority or 0
  local due = new.at or new.delay and NOW + new.delay or NOW
  local is_due = due <= NOW
  -- What not every job has.
  local more = {}
  if new.key then
    append(more, 'eyk', new.key)
  end
  local expiry = new.ttl and int(new.ttl) .. ' ' .. int(take_number())
  if expiry then
    append(more, 'eyx', expiry)
  end
  if new.says then
    append(more, 'deid', new.says.id)
  end
  if new.parent then
    append(more, 'parentKey', new.parent.key)
    append(more, 'parent', new.parent.link)
  end
  tell(q, 'added', 'jobId', id, 'name', new.name)
  if new.awaits then
    if new.at then
      append(more, 'eyd', int(new.at))
    end
    db.zadd(q.p .. 'waiting-children', ticks.score(), id)
    tell(q, 'waiting-children', 'jobId', id)
  elseif is_due then
    append(more, 'eyp', int(place.ready(q, id, new)))
    tell(q, 'waiting', 'jobId', id)
  else
    place.delay(q, id, due)
    tell(q, 'delayed', 'jobId', id, 'delay', int(due))
  end
  if expiry and not new.awaits then
    job.must_begin(q, job.expiry(expiry, id), math.max(due, NOW))
  end
  db.create(
    key, 'name', new.name, 'data', new.data, 'opts', new.opts, 'timestamp', NOW_TEXT, 'delay',
    is_due and '0' or int(due - NOW), 'priority', int(new.priority), 'eyt', new.kind, unpack(more)
  )
end

-- Makes a job fail that could begin at `due` and has not in the time that it has for that.
function job.must_begin(q, expires, due)
  local by = int(due + expires.after)
  db.zadd(q.own .. 'unbegun', by, expires.member)
  call('ZADD', OURS .. 'unbegun', 'LT', by, q.name)
end

-- Makes a job runnable; `from` is where it was, in the words of BullMQ's events. Tells it by `how`.
function job.run(q, id, f, from, how)
  db.hset(q.p .. id, 'eyp', int(place.ready(q, id, f)));
  (how or tell)(q, 'waiting', 'jobId', id, 'prev', from)
end

-- Makes a job run at an instant, or at once if that has come. Further fields tell why.
function job.run_at(q, id, f, at, from, ...)
  if at <= NOW then
    return job.run(q, id, f, from)
  end
  db.hset(q.p .. id, 'delay', int(at - NOW))
  place.delay(q, id, at)
  tell(q, 'delayed', 'jobId', id, 'delay', int(at), ...)
end

-- Makes a job whose attempt did not end it run again. Where its key is ordered it keeps its place, and the others of
-- its key wait for it.
function job.run_again(q, id, f, at, from, ...)
  if not lane.is_ordered(q, f.key) then
    return job.run_at(q, id, f, at, from, ...)
  elseif at <= NOW then
    place.back(q, id, f)
    return tell(q, 'waiting', 'jobId', id, 'prev', from)
  end
  db.hset(q.p .. id, 'eyh', '1')
  lane.hold(q, f.key, 1)
  job.run_at(q, id, f, at, from, ...)
end

-- Makes a delayed job that was taken out of the delayed ones runnable.
function job.promote(q, id, f)
  db.hset(q.p .. id, 'delay', '0')
  if f.holds then
    db.hdel(q.p .. id, 'eyh')
    lane.hold(q, f.key, -1)
    place.back(q, id, f)
    tell(q, 'waiting', 'jobId', id, 'prev', 'delayed')
  else
    job.run(q, id, f, 'delayed')
  end
end
