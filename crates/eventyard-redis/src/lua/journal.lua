-- Changes: those of a commit that may be refused in its middle can be undone, those of any other can wait for each other.

-- What undoes the commit under way; absent while nothing of it can be refused.
local journal

local function undo(step)
  journal[#journal + 1] = step
end

-- Does something if the commit under way, which may be undone, is undone.
db.on_undo = undo

-- Remembers a small key as it is, once a commit.
local function remember(key)
  if not journal or journal.remembered[key] then
    return
  end
  journal.remembered[key] = true
  local before, ttl = call('DUMP', key), call('PTTL', key)
  undo(function()
    call('DEL', key)
    if before then
      call('RESTORE', key, ttl > 0 and ttl or 0, before)
    end
  end)
end

beginnings[#beginnings + 1] = function()
  journal = nil
end

-- Makes a hash whose key is free.
function db.create(key, ...)
  absent[key] = nil
  if journal then
    remember(key)
  end
  return call('HSET', key, ...)
end

-- Begins a commit that may be refused after it has changed something.
function db.begin()
  db.flush()
  wake()
  journal = { remembered = {} }
  news.held = {}
end

-- Whether the commit under way may be undone.
function db.may_undo()
  return journal and true
end

-- Ends it: what was done stays.
function db.keep()
  journal = nil
end

-- Ends it: what was done is undone, the last thing first.
function db.roll_back()
  local steps = journal
  journal, news.held = nil, nil
  for i = #steps, 1, -1 do
    steps[i]()
  end
  queues = {}
end

function db.hset(key, ...)
  if journal then
    remember(key)
  end
  return call('HSET', key, ...)
end

function db.hincrby(key, field, by)
  remember(key)
  return call('HINCRBY', key, field, by)
end

function db.hdel(key, ...)
  remember(key)
  return call('HDEL', key, ...)
end

function db.sadd(key, member)
  remember(key)
  return call('SADD', key, member)
end

function db.srem(key, member)
  remember(key)
  return call('SREM', key, member)
end

function db.set(key, ...)
  remember(key)
  return call('SET', key, ...)
end

function db.rpush(key, value)
  remember(key)
  return call('RPUSH', key, value)
end

function db.del(...)
  for i = 1, select('#', ...) do
    remember((select(i, ...)))
  end
  return call('UNLINK', ...)
end

-- Removes a key that nothing looks at before the script ends.
function db.del_later(key)
  if journal then
    return db.del(key)
  end
  later.del[#later.del + 1] = key
  is_later = true
end

-- Removes a job when the script ends; until then it counts as gone.
function db.del_job_later(key)
  if journal then
    return db.del(job.keys(key))
  end
  gone[key] = true
  later.del[#later.del + 1] = key
  job.add_keys_beside(later.del, key)
  is_later = true
end

-- Writes a field of a large hash.
function db.hset_large(key, field, value)
  if journal then
    local before = call('HGET', key, field)
    undo(function()
      if before then
        call('HSET', key, field, before)
      else
        call('HDEL', key, field)
      end
    end)
  end
  return call('HSET', key, field, value)
end

-- Removes a field of a large hash that nothing looks at before the script ends.
function db.hdel_later(key, field)
  if journal then
    local before = call('HGET', key, field)
    undo(function()
      if before then
        call('HSET', key, field, before)
      end
    end)
    call('HDEL', key, field)
  else
    put_off('hdel', key, field)
  end
end

function db.zadd(key, score, member)
  if journal then
    local before = call('ZSCORE', key, member)
    undo(function()
      if before then
        call('ZADD', key, before, member)
      else
        call('ZREM', key, member)
      end
    end)
  end
  return call('ZADD', key, score, member)
end

-- Adds a member to a sorted set; what reads the set sees it if it goes through this part.
function db.zadd_later(key, score, member)
  if journal then
    return db.zadd(key, score, member)
  end
  local scored = waiting('add', key)
  local n = #scored
  scored[n + 1], scored[n + 2] = score, member
end

function db.zscore(key, member)
  if later.add[key] then
    db.flush()
  end
  return call('ZSCORE', key, member)
end

function db.zrem(key, member)
  if later.add[key] then
    db.flush()
  end
  if journal then
    local before = call('ZSCORE', key, member)
    if before then
      undo(function()
        call('ZADD', key, before, member)
      end)
    end
  end
  return call('ZREM', key, member)
end

-- Takes a member out of a set that nothing looks at before the script ends.
function db.zrem_later(key, member)
  if journal then
    db.zrem(key, member)
  else
    put_off('rem', key, member)
  end
end

-- Puts an id at the left end of a list, behind all that wait.
function db.lpush(key, id)
  if journal then
    undo(function()
      call('LREM', key, 1, id)
    end)
    return call('LPUSH', key, id)
  end
  put_off('push', key, id)
end

-- Puts an id at the right end of a list, before all that wait, or `behind` so many of them.
function db.rpush_behind(key, id, behind)
  if journal then
    undo(function()
      call('LREM', key, -1, id)
    end)
  end
  local pivot = behind > 0 and call('LINDEX', key, -behind)
  if pivot then
    return call('LINSERT', key, 'BEFORE', pivot, id)
  end
  return call('RPUSH', key, id)
end

-- Takes an id out of a list when the script ends, or when something looks at the list.
function db.lrem_later(key, id)
  if journal then
    db.lrem(key, id)
  else
    put_off('leave', key, id)
  end
end

-- Whether an id is in a list.
function db.is_in(key, id)
  if later.leave[key] or later.push[key] then
    db.flush()
  end
  return call('LPOS', key, id) and true
end

-- Takes an id out of a list; looks from the right end.
function db.lrem(key, id)
  if later.push[key] or later.leave[key] then
    db.flush()
  end
  if not journal then
    return call('LREM', key, -1, id)
  end
  local at = call('LPOS', key, id, 'RANK', -1)
  if not at then
    return 0
  end
  local left, right = at > 0 and call('LINDEX', key, at - 1), call('LINDEX', key, at + 1)
  undo(function()
    if right then
      call('LINSERT', key, 'BEFORE', right, id)
    elseif left then
      call('LINSERT', key, 'AFTER', left, id)
    else
      call('RPUSH', key, id)
    end
  end)
  return call('LREM', key, -1, id)
end

-- Gives a list another name.
function db.rename(from, to)
  if journal then
    undo(function()
      call('RENAME', to, from)
    end)
  end
  return call('RENAME', from, to)
end
