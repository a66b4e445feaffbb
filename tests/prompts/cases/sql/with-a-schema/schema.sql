CREATE TABLE products (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  retired_at timestamptz
);
CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer_id bigint NOT NULL,
  placed_at timestamptz NOT NULL
);
CREATE TABLE order_lines (
  order_id bigint NOT NULL REFERENCES orders,
  product_id bigint REFERENCES products,  -- null for a gift card
  quantity integer NOT NULL
);
