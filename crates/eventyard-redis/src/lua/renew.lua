-- Makes leases hold for longer.

function verbs.renew()
  local answers = {}
  lease.read_locks(A.leases)
  for i, l in ipairs(A.leases) do
    answers[i] = lease.renew(l, NOW + A.lease) and 1 or 0
  end
  return cmsgpack.pack(answers)
end
