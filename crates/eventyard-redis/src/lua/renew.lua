-- Makes leases hold for longer.

function verbs.renew()
  local answers = {}
  local keys = {}
  for i, l in ipairs(A.leases) do
    keys[i] = PREFIX .. ':' .. l.queue .. ':' .. l.id
  end
  lease.read_locks(keys)
  for i, l in ipairs(A.leases) do
    answers[i] = lease.renew(l, NOW + A.lease) and 1 or 0
  end
  return cmsgpack.pack(answers)
end
