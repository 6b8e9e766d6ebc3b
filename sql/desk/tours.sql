-- name: signs_of_stops
-- What a dispatcher looks at beside how a stop is: its newest message, what did not arrive, proofs, tickets. $1 account, $2 route
SELECT stop.id AS stop_id, told.kind AS told, told.state AS told_state,
       (SELECT count(*) FROM proof WHERE proof.stop_id = stop.id AND proof.state = 'stored') AS proofs,
       (SELECT count(*) FROM ticket WHERE ticket.stop_id = stop.id AND ticket.closed_at IS NULL) AS tickets,
       (SELECT count(*) FROM recipient_change AS asked WHERE asked.stop_id = stop.id AND asked.state = 'proposed') AS proposals
  FROM stop
  LEFT JOIN LATERAL (SELECT kind, state FROM message WHERE message.stop_id = stop.id ORDER BY id DESC LIMIT 1) AS told ON true
 WHERE stop.account_id = $1 AND stop.route_id = $2;
