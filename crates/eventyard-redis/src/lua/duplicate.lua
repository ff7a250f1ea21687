-- Deduplication: which job stands for all that say the same. BullMQ keeps its id in `de:<what it says>`, with the time
-- that its window has left; ours have the end of the window by the caller's clock as well.

local function owner_key(q, says)
  return q.p .. 'de:' .. says
end

-- The job that stands for all that say this, and until when: while it is not finished, if there is no time.
local function known(q, says)
  local id = call('GET', owner_key(q, says))
  if not id then
    return nil
  end
  local until_ = tonumber(call('ZSCORE', q.own .. 'windows', says) or nil)
  local left = not until_ and call('PTTL', owner_key(q, says)) or -1
  if left > 0 then
    until_ = NOW + left
  end
  if until_ and until_ <= NOW then
    return nil
  end
  -- One without a time is forgotten when its job ends, except by versions of BullMQ that leave it behind.
  if not until_ and not db.exists(q.p .. id) then
    return nil
  end
  return id, until_
end

local function set(q, says, id, until_)
  local key = owner_key(q, says)
  db.del(q.p .. 'dn:' .. says)
  if until_ then
    db.set(key, id, 'PX', real(until_ - NOW))
    db.zadd(q.own .. 'windows', int(until_), says)
  else
    db.set(key, id)
    db.zrem(q.own .. 'windows', says)
  end
end

local function forget(q, says)
  db.del(owner_key(q, says), q.p .. 'dn:' .. says)
  db.zrem(q.own .. 'windows', says)
end

-- Decides whether a job is dropped because of one that says the same: tells the id of that one. Otherwise tells until
-- when the new one stands for all.
function duplicate.judge(q, new)
  local rule = new.says
  if not rule then
    return nil
  end
  local begins = rule.ttl and NOW + rule.ttl
  local id, until_ = known(q, rule.id)
  if not id then
    return nil, begins
  end
  local function dropped()
    if not q.is_v6 then
      tell(q, 'debounced', 'jobId', id, 'debounceId', rule.id)
    end
    tell(q, 'deduplicated', 'jobId', id, 'deduplicationId', rule.id, 'deduplicatedJobId', new.id)
    return id
  end
  local f = (rule.replace or rule.keep_last) and job.load(q, id)
  local state = f and place.state(q, id, f)
  if rule.replace and state == 'delayed' then
    forget(q, rule.id)
    job.remove(q, id, f, state)
    if not q.is_v6 then
      tell(q, 'debounced', 'jobId', new.id, 'debounceId', rule.id)
    end
    tell(q, 'deduplicated', 'jobId', new.id, 'deduplicationId', rule.id, 'deduplicatedJobId', id)
    -- The window of the one that is replaced goes on, unless it begins anew.
    return nil, rule.extend and begins or until_
  end
  if rule.keep_last and state == 'active' then
    local kept = {}
    for name, value in pairs(new) do
      kept[name] = value
    end
    kept.awaits = nil
    db.del(q.p .. 'dn:' .. rule.id)
    db.hset(
      q.p .. 'dn:' .. rule.id, 'name', new.name, 'data', new.data, 'opts', new.opts, 'jid', new.id, 'ey',
      cmsgpack.pack(kept)
    )
  elseif rule.extend and until_ then
    db.set(owner_key(q, rule.id), id, 'PX', real(begins - NOW))
    db.zadd(q.own .. 'windows', int(begins), rule.id)
  end
  return dropped()
end

-- Makes a job that is added the one that stands for all that say the same.
function duplicate.appoint(q, new, until_)
  set(q, new.says.id, new.id, until_)
end

-- Lets go of what a job stood for that has ended; adds the one that was kept for then.
function duplicate.dismiss(q, id, f)
  local says = f.says
  if not says or call('GET', owner_key(q, says)) ~= id or call('ZSCORE', q.own .. 'windows', says) then
    return
  end
  if call('PTTL', owner_key(q, says)) > 0 then
    return
  end
  local kept = pairs_of(call('HGETALL', q.p .. 'dn:' .. says))
  forget(q, says)
  local next_id = kept.jid
  if not next_id or db.exists(q.p .. next_id) then
    return
  end
  q.added = q.added + 1
  if kept.ey then
    return job.add(q, cmsgpack.unpack(kept.ey), nil)
  end
  -- One that Node kept.
  local is_json, options = pcall(cjson.decode, kept.opts or '{}')
  options = is_json and options or {}
  job.add(q, {
    id = next_id, name = kept.name, data = kept.data, opts = kept.opts, kind = 'n' .. (options.lifo and 'l' or ''),
    priority = tonumber(options.priority), lifo = options.lifo, delay = tonumber(options.delay), says = { id = says },
  }, nil)
end

-- Forgets up to `limit` windows that are over.
function duplicate.forget_windows(q, limit)
  for _, says in ipairs(call('ZRANGEBYSCORE', q.own .. 'windows', '-inf', NOW, 'LIMIT', 0, limit)) do
    forget(q, says)
  end
end
