-- More about people.
ALTER TABLE contacts ADD COLUMN company TEXT;
ALTER TABLE contacts ADD COLUMN notes TEXT;

-- How much was said in a conversation, for lists of people.
ALTER TABLE conversations ADD COLUMN sent_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN received_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN last_sent_at INTEGER;
UPDATE conversations SET sent_count = said.sent, received_count = said.received, last_sent_at = said.last_sent
  FROM (SELECT conversation_id, SUM(direction) AS sent, SUM(1 - direction) AS received,
          MAX(CASE WHEN direction = 1 THEN created_at END) AS last_sent FROM messages GROUP BY conversation_id) said
  WHERE said.conversation_id = conversations.id;
