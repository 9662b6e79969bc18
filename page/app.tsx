export function App() {
  return <h1>selftrain</h1>;
}
