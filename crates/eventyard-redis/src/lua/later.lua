-- What waits for the end of a call, or until something looks at it: then it is done for many jobs in one command.

-- What waits to be done in one command: members by key, in sorted sets with their scores.
local later
-- Whether anything does.
local is_later
-- The jobs that are removed then: by their keys.
local gone
-- Keys that are known not to exist.
local absent

local function nothing_put_off()
  later, gone, is_later = { push = {}, add = {}, leave = {}, rem = {}, hdel = {}, del = {} }, {}, false
end

beginnings[#beginnings + 1] = function()
  absent = {}
  nothing_put_off()
end

-- What waits to be done to a key in one way, to be added to until something is flushed.
local function waiting(way, key)
  local members = later[way][key]
  if not members then
    members = {}
    later[way][key] = members
    is_later = true
  end
  return members
end

local function put_off(way, key, member)
  local members = waiting(way, key)
  members[#members + 1] = member
end

-- Does a command with many members in parts that fit on Lua's stack.
function db.in_parts(command, key, members)
  for i = 1, #members, 1000 do
    call(command, key, unpack(members, i, math.min(i + 999, #members)))
  end
end

-- Does a command with many keys in such parts.
function db.on_keys(command, keys)
  local sum = 0
  for i = 1, #keys, 1000 do
    sum = sum + call(command, unpack(keys, i, math.min(i + 999, #keys)))
  end
  return sum
end

-- Takes ids out of a list, each once; looks from the right end. Most often they are what stands there, or nearly so: then
-- that end is written anew, which is less work than to look for each.
local function take_out(key, ids)
  local left = {}
  for _, id in ipairs(ids) do
    left[id] = true
  end
  local last, stay, found = call('LRANGE', key, -2 * #ids, -1), {}, 0
  for i = 1, #last do
    local id = last[i]
    if left[id] then
      left[id] = nil
      found = found + 1
    else
      stay[#stay + 1] = id
    end
  end
  if found < #ids then
    for _, id in ipairs(ids) do
      call('LREM', key, -1, id)
    end
    return
  end
  call('LTRIM', key, 0, -1 - #last)
  db.in_parts('RPUSH', key, stay)
end

-- Does what was put off.
function db.flush()
  if not is_later then
    return
  end
  for key, members in pairs(later.push) do
    db.in_parts('LPUSH', key, members)
  end
  for key, scored in pairs(later.add) do
    db.in_parts('ZADD', key, scored)
  end
  for key, ids in pairs(later.leave) do
    take_out(key, ids)
  end
  for key, members in pairs(later.rem) do
    db.in_parts('ZREM', key, members)
  end
  for key, fields in pairs(later.hdel) do
    db.in_parts('HDEL', key, fields)
  end
  db.on_keys('UNLINK', later.del)
  nothing_put_off()
end

-- Looks in one command whether any of some keys is there.
function db.look_for(keys)
  if db.on_keys('EXISTS', keys) == 0 then
    for _, key in ipairs(keys) do
      absent[key] = true
    end
  end
end

-- Whether a key is there, and stays.
function db.exists(key)
  return not gone[key] and not absent[key] and call('EXISTS', key) == 1
end

-- Whether a key that is there goes when the script ends.
function db.is_gone(key)
  return gone[key]
end
